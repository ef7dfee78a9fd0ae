document.querySelectorAll("th button").forEach(function (button) {
  button.addEventListener("click", function () {
    var head = button.closest("th"), body = head.closest("table").tBodies[0];
    var up = head.getAttribute("aria-sort") !== "ascending";
    var key = function (row) { return row.cells[head.cellIndex].dataset.sort; };
    var order = function (a, b) {
      var x = key(a), y = key(b), numbers = head.dataset.kind === "number";
      return (numbers ? x - y : x.localeCompare(y)) * (up ? 1 : -1);
    };
    head.parentNode.querySelectorAll("th").forEach(function (other) { other.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    Array.from(body.rows).sort(order).forEach(function (row) { body.appendChild(row); });
  });
});
