// Runs before the page is drawn, so that a chosen color scheme does not flash. Without a choice the system decides.
(function () {
  try {
    const chosen = localStorage.getItem("course-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch (error) { /* storage is switched off: the system decides */ }
})();
