// Merges with docxtemplater: TEMPLATE CONTACTS.json FOLDER [OPTIONS]. A new object for each letter, as the library wants it.

const { readFileSync, writeFileSync } = require("node:fs");
const Docxtemplater = require("docxtemplater");
const PizZip = require("pizzip");

const [template, contacts, folder, options] = process.argv.slice(2);
const letter = readFileSync(template);
JSON.parse(readFileSync(contacts, "utf8")).forEach((row, index) => {
  const document = new Docxtemplater(new PizZip(letter), JSON.parse(options ?? "{}"));
  document.render(row);
  const bytes = document.getZip().generate({ type: "nodebuffer", compression: "DEFLATE" });
  writeFileSync(`${folder}/${String(index + 1).padStart(6, "0")}.docx`, bytes);
});
