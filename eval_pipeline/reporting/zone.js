for (const moment of document.querySelectorAll("time[datetime]")) {
  const at = new Date(moment.dateTime);
  if (!Number.isNaN(at.getTime())) {
    const here = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    const note = document.createElement("span");
    note.textContent = ` (${here} where you are)`;
    moment.append(note);
  }
}
