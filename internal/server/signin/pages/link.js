// The secret stands behind the #, where no log and no other site sees it. It goes into the form, and out of the
// address; so does that of another link that is opened on this page.
function take() {
  if (location.hash.length > 1) {
    document.getElementById("link").value = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
  }
}
take();
addEventListener("hashchange", take);
