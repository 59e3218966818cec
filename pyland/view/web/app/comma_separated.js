/**
 * Tables as text with commas (RFC 4180), numbers with points in every language.
 */

/** Write one value of a table. */
function cell(value) {
  if (value === null || value === undefined || (typeof value === "number" && !Number.isFinite(value))) return "";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * @param {string[]} comments lines before the table, behind '#'
 * @param {string[]} header
 * @param {Array<Array>} rows
 * @returns {string}
 */
export function commaSeparated(comments, header, rows) {
  const lines = [
    ...comments.map((line) => `# ${line}`),
    header.map(cell).join(","),
    ...rows.map((row) => row.map(cell).join(",")),
  ];
  return `${lines.join("\r\n")}\r\n`;
}

/** Give a file to the reader. */
export function save(name, content, type) {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000); // the browser may still be writing it
}
