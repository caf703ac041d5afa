"""Which sources of Node build a site, and where its files are."""

import json

import pytest

from tests.unit.shared.deploys.recipes.sources import package


@pytest.mark.parametrize(
    ("scripts", "known", "site"),
    [
        ({"dev": "vite", "build": "tsc && vite build", "preview": "vite preview"}, {"vite": "7"}, "dist"),
        ({"start": "vite", "build": "vite build"}, {"vite": "7"}, "dist"),
        ({"start": "react-scripts start", "build": "react-scripts build"}, {"react-scripts": "5"}, "build"),
        ({"serve": "vue-cli-service serve", "build": "vue-cli-service build"}, {"@vue/cli-service": "5"}, "dist"),
        ({"start": "node server.js", "build": "vite build"}, {"vite": "7"}, None),
        ({"dev": "astro dev", "build": "astro build", "preview": "astro preview"}, {"astro": "5"}, "dist"),
        ({"start": "astro dev", "build": "astro check && astro build"}, {"astro": "4"}, "dist"),
        ({"start": "astro dev", "build": "astro build"}, {"astro": "5", "@astrojs/node": "9"}, None),
        ({"start": "docusaurus start", "build": "docusaurus build"}, {"@docusaurus/core": "3"}, "build"),
        ({"start": "eleventy --serve", "build": "eleventy"}, {"@11ty/eleventy": "3"}, "_site"),
        ({"start": "npx @11ty/eleventy --serve", "build": "npx @11ty/eleventy"}, {"@11ty/eleventy": "3"}, "_site"),
        ({"start": "gatsby develop", "build": "gatsby build"}, {"gatsby": "5"}, "public"),
        ({"start": "npm run develop", "develop": "gatsby develop", "build": "gatsby build"}, {"gatsby": "5"}, "public"),
        ({"start": "ng serve", "build": "ng build"}, {"@angular/cli": "20"}, "dist"),
        ({"dev": "vite dev", "build": "vite build"}, {"vite": "7", "@sveltejs/adapter-static": "3"}, "build"),
    ],
)
def test_what_builds_a_site_is_served_as_files(of, scripts, known, site):
    found = of({"package.json": package(scripts=scripts, devDependencies=known)})
    assert found.site == site
    assert found.runtime == ("python" if site else "node")
    assert len(found.assets) == (2 if site else 0)


def test_the_folder_that_the_configuration_of_vite_names_is_served(of):
    files = {"vite.config.ts": "export default { build: { outDir: './public-build/' } }"}
    found = of({"package.json": package(scripts={"build": "vite build"}, devDependencies={"vite": "7"}), **files})
    assert found.site == "public-build"


@pytest.mark.parametrize(
    ("build", "site"),
    [
        ({"builder": "@angular/build:application", "options": {}}, "dist/shop/browser"),
        ({"builder": "@angular-devkit/build-angular:application", "options": {"outputPath": "out"}}, "out/browser"),
        ({"builder": "@angular-devkit/build-angular:browser", "options": {"outputPath": "dist/old"}}, "dist/old"),
        ({"builder": "x:application", "options": {"outputPath": {"base": "www", "browser": ""}}}, "www"),
        ({"builder": "x:application", "options": {"outputPath": "../../etc"}}, "dist"),
    ],
)
def test_the_folder_that_the_configuration_of_angular_names_is_served(of, build, site):
    scripts = {"start": "ng serve", "build": "ng build"}
    workspace = json.dumps({"projects": {"shop": {"architect": {"build": build}}}})
    found = of(
        {"package.json": package(scripts=scripts, devDependencies={"@angular/cli": "20"}), "angular.json": workspace}
    )
    assert (found.site, found.runtime) == (site, "python")
