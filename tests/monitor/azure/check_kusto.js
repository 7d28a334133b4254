// Reads {modules, tables: {name: {column: type}}, queries: {name: kql}} from standard input and prints, by query, what
// Microsoft's Kusto engine has to say against it: parsed and bound to the tables' columns.
"use strict";

const fs = require("fs");
const path = require("path");
const vm = require("vm");

const input = JSON.parse(fs.readFileSync(0, "utf8"));
// The engine is made for the browser: it installs itself into the global object of whoever runs it.
for (const file of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  vm.runInThisContext(fs.readFileSync(path.join(input.modules, "@kusto/language-service-next", file), "utf8"), file);
}

const { GlobalState, KustoCode, Symbols } = globalThis.Kusto.Language;
const tables = Object.entries(input.tables).map(([name, columns]) =>
  Symbols.TableSymbol.From("(" + Object.entries(columns).map(([column, type]) => `${column}: ${type}`).join(", ") + ")")
    .WithName(name));
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.$ctor1("workspace", tables));

const found = {};
for (const [name, kql] of Object.entries(input.queries)) {
  const code = KustoCode.ParseAndAnalyze(kql, globals);
  const diagnostics = code.GetDiagnostics();
  const columns = code.ResultType && code.ResultType.Columns;
  found[name] = {
    problems: Array.from({ length: diagnostics.Count }, (_, i) => {
      const said = diagnostics.getItem(i);
      return `${said.Severity}: ${said.Message} at «${kql.slice(said.Start, said.Start + said.Length)}»`;
    }),
    columns: columns ? Array.from({ length: columns.Count }, (_, i) => {
      const column = columns.getItem(i);
      return [column.Name, column.Type.Name];
    }) : [],
  };
}
process.stdout.write(JSON.stringify(found));
