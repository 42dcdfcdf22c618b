// Merges with easy-template-x: TEMPLATE CONTACTS.json FOLDER. It takes the template's bytes for each letter.

const { readFileSync, writeFileSync } = require("node:fs");
const { TemplateHandler } = require("easy-template-x");

async function main([template, contacts, folder]) {
  const letter = readFileSync(template);
  const handler = new TemplateHandler();
  const rows = JSON.parse(readFileSync(contacts, "utf8"));
  for (const [index, row] of rows.entries()) {
    const bytes = await handler.process(letter, row);
    writeFileSync(`${folder}/${String(index + 1).padStart(6, "0")}.docx`, bytes);
  }
}

main(process.argv.slice(2));
