"""How a source for Node is installed, built and started."""

import pytest

from tests.unit.shared.deploys.recipes.sources import NODE, package


def test_node_installs_builds_and_starts(of):
    found = of({"package.json": NODE})
    assert (found.runtime, found.install, found.build, found.start) == (
        "node",
        (("npm", "install", "--include=dev"),),
        (("npm", "run", "build"),),
        ("npm", "start"),
    )
    assert of({"package-lock.json": "{}"}).install == (("npm", "ci", "--include=dev"),)


@pytest.mark.parametrize(
    ("files", "install", "build"),
    [
        ({"pnpm-lock.yaml": ""}, "pnpm@9.15.9 install --prod=false --frozen-lockfile", "pnpm@9.15.9 run build"),
        ({"yarn.lock": "# v1"}, "yarn@1.22.22 install --production=false --frozen-lockfile", "yarn@1.22.22 run build"),
        (
            {"yarn.lock": "__metadata:"},
            "@yarnpkg/cli-dist@4.12.0 install --immutable",
            "@yarnpkg/cli-dist@4.12.0 run build",
        ),
        ({"bun.lockb": ""}, "bun@1.3.3 install --frozen-lockfile", "bun@1.3.3 run build"),
        ({"bun.lock": "{}"}, "bun@1.3.3 install --frozen-lockfile", "bun@1.3.3 run build"),
    ],
)
def test_the_package_manager_of_the_lock_file_is_used(of, files, install, build):
    found = of({"package.json": package(scripts={"build": "tsc", "start": "node ."}), **files})
    assert found.start == ("npm", "start")
    modern = "env YARN_NODE_LINKER=node-modules YARN_IMMUTABLE_PATTERNS=none " if "cli-dist" in install else ""
    assert [" ".join(words) for words in (*found.install, *found.build)] == [
        f"{modern}npx --yes {install}",
        f"{modern}npx --yes {build}",
    ]


def test_the_package_manager_that_is_named_comes_first(of):
    found = of(
        {"package.json": package(packageManager="pnpm@8.15.4+sha", scripts={"start": "node ."}), "yarn.lock": ""}
    )
    assert found.install == (("npx", "--yes", "pnpm@8.15.4", "install", "--prod=false"),)


def test_node_without_a_start_script_starts_its_main_file(of):
    assert of({"package.json": package(main="./src/web.js"), "src/web.js": ""}).start == ("node", "src/web.js")
    assert of({"package.json": "{}", "server.js": ""}).start == ("node", "server.js")


@pytest.mark.parametrize(
    ("command", "build", "start"),
    [
        ("yarn start", "npx --yes yarn@1.22.22 start", "npm run start"),
        ("pnpm run start --port 1", "npx --yes pnpm@9.1.1 run start --port 1", "npm run start -- --port 1"),
        ("env NODE_ENV=production yarn start", "env NODE_ENV=production npx --yes yarn@1.22.22 start", None),
        ("bun server.ts", "npx --yes bun@1.3.3 server.ts", "npx --yes bun@1.3.3 server.ts"),
        ("next start", "next start", "next start"),
        ("yarn", "npx --yes yarn@1.22.22", "npx --yes yarn@1.22.22"),
    ],
)
def test_defect_a_command_of_a_package_manager_that_no_image_has_is_not_found(of, command, build, start):
    files = {"package.json": package(scripts={"start": "node ."}, packageManager="pnpm@9.1.1"), "yarn.lock": "# v1"}
    words = tuple(command.split())
    found = of(files, build=words, start=words)
    assert " ".join(found.build[0]) == build
    assert " ".join(found.start) == (start or "env NODE_ENV=production npm run start")
