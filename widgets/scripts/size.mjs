// Prints the gzipped size of every file a CRM page loads, and fails above the budget.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 60;
const dist = fileURLToPath(new URL("../../cti_bridge/widgets/dist", import.meta.url));

const filesUnder = (folder) =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });

let total = 0;
for (const path of filesUnder(dist).sort()) {
  const kilobytes = gzipSync(readFileSync(path), { level: 9 }).length / 1000;
  total += kilobytes;
  process.stdout.write(`${kilobytes.toFixed(1).padStart(7)} kB gzipped  ${relative(dist, path)}\n`);
}
process.stdout.write(`${total.toFixed(1).padStart(7)} kB gzipped  in all, of ${BUDGET_KB} allowed\n`);
if (total > BUDGET_KB) {
  process.stderr.write("The widget is too heavy for a CRM page: find what grew, or raise the budget on purpose.\n");
  process.exit(1);
}
