// Brings the map: what it is, the density, the points block by block, and what came since.
import * as data from "/console/map/data.js";
import { readDensity, readPoints } from "/console/map/tiles.js";

// Each step tells `page`; what fails is thrown, and trying again goes on with what is missing.
export async function loadAll(page) {
  if (!page.density) {
    page.density = readDensity(await (await data.file(page.map.density.href)).arrayBuffer());
    page.frames.move();
  }
  if (!page.whole) {
    const known = page.points.count; // of a try that broke off
    await readPoints(await data.file(page.map.points.href), (block) => {
      if (block.first < known) return;
      page.points.add(block);
      page.pointsCame();
    }, page.progress);
    page.whole = true;
  }
  await loadAdditions(page);
}

export async function loadAdditions(page) {
  for (let more = true; more;) {
    const before = page.points.count;
    const head = await readPoints(await data.additions(page.map.version, before), (block) => page.points.add(block));
    more = head.count === head.span && page.points.count > before;
    if (page.points.count > before) page.pointsCame();
  }
}
