"use strict";
for (const button of document.querySelectorAll("table.class th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), table = head.closest("table"), body = table.tBodies[0];
    const column = head.cellIndex, down = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (row) => row.cells[column].dataset.key ?? row.cells[column].textContent;
    const rows = [...body.rows].sort((a, b) => {
      const one = key(a), other = key(b), x = parseFloat(one), y = parseFloat(other);
      return head.dataset.numbers !== undefined ? (isNaN(x) ? -1 : x) - (isNaN(y) ? -1 : y) : one.localeCompare(other);
    });
    body.append(...(down ? rows.reverse() : rows));
  });
}
