import { useEffect, useState } from "react";
import { fetcher, signedOut } from "./fetcher";

interface Viewer {
  name: string;
  via: string;
}

/** Asks who calls. A server that does not say is one that nobody is signed in to. */
async function ask(): Promise<Viewer | undefined> {
  const answer = await fetcher({ query: "query Account { viewer { name via } }", operationName: "Account" });
  return (answer as { data?: { viewer?: Viewer } }).data?.viewer;
}

/** Says who one is, and lets people out and in again. GraphiQL keeps its tabs
 * in the browser, so that they are there after signing in anew. */
export function Account() {
  const [viewer, setViewer] = useState<Viewer>();
  const [isOut, setIsOut] = useState(false);
  useEffect(() => {
    const leave = () => setIsOut(true);
    signedOut.addEventListener("signedout", leave);
    void ask().then(setViewer);
    return () => signedOut.removeEventListener("signedout", leave);
  }, []);
  if (isOut) {
    return (
      <span className="linchpin-account" role="status">
        You are signed out. <a href="/auth/sign-in?return=/">Sign in</a>
      </span>
    );
  }
  return (
    <span className="linchpin-account">
      {viewer?.name} {viewer?.via === "SESSION" && <a href="/auth/sign-out">Sign out</a>}
    </span>
  );
}
