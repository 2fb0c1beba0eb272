// What tools/snapshot and tools/layouts share: build, read the artifacts of the contracts listed in contracts.txt, and
// write one JSON file for each, or compare with the ones checked in.
"use strict";
const { execFileSync } = require("child_process");
const fs = require("fs");
const path = require("path");

const root = path.join(__dirname, "..");

exports.names = () =>
  fs.readFileSync(path.join(__dirname, "contracts.txt"), "utf8").split("\n").map((l) => l.trim()).filter(Boolean).sort();

exports.run = (folder, command, pick) => {
  const args = process.argv.slice(2);
  if (args.length > 1 || (args.length === 1 && args[0] !== "--check")) {
    console.error(`usage: ${command} [--check]`);
    process.exit(2);
  }
  const check = args[0] === "--check";
  execFileSync(path.join(__dirname, "forge"), ["build", "--skip", "test", "--quiet"], { stdio: "inherit" });

  const out = process.env.FOUNDRY_OUT ?? path.join(root, "out");
  const target = path.join(root, folder);
  const wrong = [];
  const names = exports.names();
  fs.mkdirSync(target, { recursive: true });
  for (const name of names) {
    const artifact = JSON.parse(fs.readFileSync(path.join(out, `${name}.sol`, `${name}.json`), "utf8"));
    const text = JSON.stringify(pick(artifact), null, 1) + "\n";
    const file = path.join(target, `${name}.json`);
    const old = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : null;
    if (old === text) continue;
    if (check) wrong.push(`${folder}/${name}.json`);
    else fs.writeFileSync(file, text);
  }
  for (const file of fs.readdirSync(target)) {
    if (names.includes(path.basename(file, ".json"))) continue;
    if (check) wrong.push(`${folder}/${file} (not in tools/contracts.txt)`);
    else fs.rmSync(path.join(target, file));
  }
  if (wrong.length > 0) {
    console.error(`These differ from what the sources compile to; run ${command} and look at the diff:\n  ${wrong.join("\n  ")}`);
    process.exit(1);
  }
};
