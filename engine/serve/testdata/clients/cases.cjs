// What cases.py is, for Node.
"use strict";
const control = process.argv[2];

async function post(path) {
  await (await fetch(control + path, { method: "POST" })).arrayBuffer();
}

// Runs one case after the other and prints what they returned or threw.
async function run(packages, cases) {
  const ask = await (await fetch(control + "/")).json();
  const answers = {};
  for (const [name, call] of Object.entries(cases(ask))) {
    await post("/begin/" + encodeURIComponent(name));
    try {
      answers[name] = await call();
    } catch (e) {
      answers[name] = { error: e.constructor.name, text: String(e.message), status: e.statusCode ?? e.status };
    }
    await post("/end/" + encodeURIComponent(name));
  }
  const versions = {};
  for (const p of packages) {
    const path = require.resolve(p).replaceAll("\\", "/");
    const at = path.slice(0, path.lastIndexOf("node_modules/" + p) + ("node_modules/" + p).length);
    versions[p] = JSON.parse(require("node:fs").readFileSync(at + "/package.json", "utf8")).version;
  }
  console.log(JSON.stringify({ versions, answers }));
}

// The answer of a ranking: [index, score], best first.
function scores(pairs, documents) {
  return { order: pairs.map((p) => p[0]), scores: pairs.map((p) => p[1]), documents };
}

module.exports = { run, scores };
