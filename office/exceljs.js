// exceljs opens a file and saves it: node exceljs.js PACKAGE BEFORE AFTER
const [library, before, after] = process.argv.slice(2);
const ExcelJS = require(library);
const form = (file) => (file.endsWith(".csv") ? "csv" : "xlsx");
(async () => {
  const book = new ExcelJS.Workbook();
  await book[form(before)].readFile(before);
  await book[form(after)].writeFile(after);
})();
