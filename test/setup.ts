// The test runner passes silently on an older Node; the product does not run there, so say it at once.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  throw new Error(
    `The tests need Node 24, this is ${process.version}. Run them by \`npm test\`: the project brings its own Node 24.`,
  );
}
