// SheetJS opens a file and saves it: node sheetjs.js PACKAGE BEFORE AFTER
const fs = require("fs");
const [library, before, after] = process.argv.slice(2);
const XLSX = require(library);
const text = before.endsWith(".csv");
const book = XLSX.read(text ? fs.readFileSync(before, "utf8") : fs.readFileSync(before), { type: text ? "string" : "buffer" });
XLSX.writeFile(book, after);
