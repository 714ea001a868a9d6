/* Plain old script: when one of the page's modules does not come through (a change of networks is enough), nothing of it runs, and
   "Opening…" would stand there for ever. Tries once more by itself, then says so and offers a button. */
(function () {
  var PATIENCE_MS = 20000;
  var PAUSE_MS = 1000;
  /* Within this time a second failure is no accident. */
  var SAME_MS = 60000;
  var KEY = "confero-again";
  var opening = /** @type {HTMLElement} */ (document.getElementById("opening"));
  if (!("noModule" in HTMLScriptElement.prototype)) return;

  function isFirst() {
    try {
      var last = Number(sessionStorage.getItem(KEY));
      sessionStorage.setItem(KEY, String(Date.now()));
      return Date.now() - last > SAME_MS;
    } catch (error) {
      return false;
    }
  }

  function again() {
    location.reload();
  }

  function tell() {
    if (!opening.isConnected || opening.querySelector("button")) return;
    var words = document.createElement("p");
    words.setAttribute("role", "alert");
    words.textContent = "The page has not come through completely. Is the network there?";
    var button = document.createElement("button");
    button.type = "button";
    button.className = "button button-primary";
    button.textContent = "Try again";
    button.addEventListener("click", again);
    opening.replaceChildren(words, button);
  }

  /** @param {Event} event */
  function failed(event) {
    var script = event.target;
    if (!(script instanceof HTMLScriptElement) || script.type !== "module") return;
    if (isFirst()) setTimeout(again, PAUSE_MS);
    else tell();
  }

  document.addEventListener("error", failed, true);
  setTimeout(tell, PATIENCE_MS);
})();
