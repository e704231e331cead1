"use strict";
// Sorts and filters the samples of this page. It asks nobody for anything; without it, all samples stand worst first.
(() => {
  const table = document.getElementById("sample-table");
  const form = document.getElementById("sample-filter");
  if (!table || !form) return;
  const samples = Array.from(table.tBodies);
  const headings = Array.from(table.tHead.rows[0].cells);
  const told = document.getElementById("sample-count");
  const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const words = new Map();

  // What a person reads of a sample, without the words that are there for screen readers alone.
  function wordsOf(sample) {
    if (!words.has(sample)) {
      const copy = sample.cloneNode(true);
      for (const silent of copy.querySelectorAll(".aloud, audio")) silent.remove();
      for (const bdi of copy.querySelectorAll("bdi")) bdi.before(" ");
      words.set(sample, copy.textContent.normalize("NFC").toLowerCase());
    }
    return words.get(sample);
  }

  function valueOf(sample, column) {
    const value = sample.rows[0].cells[column].dataset.sort;
    return value === undefined || value === "" ? null : value;
  }

  function sortBy(heading) {
    const column = headings.indexOf(heading);
    const numeric = heading.classList.contains("number");
    const before = heading.getAttribute("aria-sort");
    const ascending = before ? before === "descending" : !numeric;
    for (const other of headings) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const sign = ascending ? 1 : -1;
    samples.sort((one, other) => {
      const [first, second] = [valueOf(one, column), valueOf(other, column)];
      if (first === null || second === null) return (first === null) - (second === null) || place(one) - place(other);
      const order = numeric ? first - second : byName.compare(first, second);
      return sign * order || place(one) - place(other);
    });
    table.append(...samples);
  }

  function place(sample) {
    return Number(sample.dataset.place);
  }

  function fits(result, chosen) {
    const traits = result.dataset.traits.split(" ");
    return (!chosen.model || result.dataset.model === chosen.model)
      && (!chosen.flag || traits.includes(chosen.flag))
      && (!chosen.status || traits.includes(chosen.status));
  }

  function filter() {
    const chosen = Object.fromEntries(new FormData(form));
    const wanted = chosen.text.normalize("NFC").toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const sample of samples) {
      const results = Array.from(sample.querySelectorAll(".result"));
      for (const result of results) result.hidden = Boolean(chosen.model) && result.dataset.model !== chosen.model;
      const fitting = (!chosen.language || sample.dataset.language === chosen.language)
        && (!chosen.kind || sample.dataset.kind === chosen.kind)
        && results.some((result) => fits(result, chosen))
        && (wanted.length === 0 || wanted.every((word) => wordsOf(sample).includes(word)));
      sample.hidden = !fitting;
      shown += fitting;
    }
    told.textContent = `${shown.toLocaleString("en")} of ${samples.length.toLocaleString("en")} samples`;
  }

  for (const heading of headings) {
    const button = heading.querySelector("button");
    if (!button) continue;
    button.disabled = false;
    button.addEventListener("click", () => sortBy(heading));
  }
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
})();
