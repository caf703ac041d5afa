// Unpacks the browser that the npm package @sparticuz/chromium carries, with the libraries and fonts that a bare Debian
// lacks, so that the console's tests need nothing installed by root: node tools/chromium.mjs TARGET
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

const target = process.argv[2];
const packed = join(dirname(createRequire(import.meta.url).resolve("@sparticuz/chromium")), "../bin");
const unpacked = (name) => brotliDecompressSync(readFileSync(join(packed, `${name}.br`)));

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
if (process.platform !== "linux" || process.arch !== "x64") {
  console.log("The browser of the tests comes for Linux on x86-64 alone: install chromium to run them here.");
  process.exit(0); // local/browser.py looks for it; nothing but the console's tests needs one
}
writeFileSync(join(target, "chromium"), unpacked("chromium"));
chmodSync(join(target, "chromium"), 0o755);
for (const name of ["al2023.tar", "fonts.tar", "swiftshader.tar"]) {
  execFileSync("tar", ["-x", "-C", target], { input: unpacked(name) });
}
