// The theme is a cookie that the server reads, so the first paint is already right. This only spares the reload
// when somebody tries the choices on the account page.
document.addEventListener("change", ({ target }) => {
  if (!target.matches("input[data-theme-choice]")) return;
  if (target.value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = target.value;
});
