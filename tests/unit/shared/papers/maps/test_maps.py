"""What serves a map loads nothing of what fits one."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[5]
SERVING = """
import sys
import triggers.papers
assert "numpy" not in sys.modules, "not at the start"
from shared.papers.maps import placing
from shared.papers.maps.points import tiles
from shared.papers.maps.layout import clusters, placing as places
from shared.papers.maps.models import Extent
points = tiles.Points(0, [0.5], [0.5], [0], [2000], [0])
tiles.points_file(1, Extent(x_min=0, y_min=0, x_max=1, y_max=1), points)
places.place(places.unit([[1.0, 0.0]]), places.unit([[0.0, 1.0]]), clusters.np.zeros((1, 2)))
found = {"openTSNE", "sklearn", "scipy", "numba", "umap"} & {name.partition(".")[0] for name in sys.modules}
assert not found, found
"""


def test_neither_a_start_nor_a_placed_paper_loads_what_fits_maps():
    ended = subprocess.run([sys.executable, "-c", SERVING], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
