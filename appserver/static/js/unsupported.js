/* For browsers without modules: plain old script that says so. */
var unsupportedRoot = document.getElementById("app");
if (unsupportedRoot) {
  unsupportedRoot.textContent = "This browser is too old for confero. Use a current version of Chrome, Edge, Firefox or Safari.";
}
