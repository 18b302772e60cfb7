import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { explorerPlugin } from "@graphiql/plugin-explorer";
import { pick, useGraphiQL, useGraphiQLActions, type GraphiQLPlugin } from "@graphiql/react";
import { fillIn } from "./demo";
import { examples, type Example } from "./examples";
import { fetcher } from "./fetcher";

function Examples() {
  const { addTab, changeTab } = useGraphiQLActions();
  const { tabs, queryEditor, variableEditor } = useGraphiQL(pick("tabs", "queryEditor", "variableEditor"));

  async function open(prepared: Example) {
    const [example = prepared] = await fillIn([prepared], fetcher);
    const index = tabs.findIndex((tab) => tab.query === example.query);
    if (index >= 0) return changeTab(index);
    addTab();
    queryEditor?.setValue(example.query);
    variableEditor?.setValue(example.variables);
  }

  return (
    <section className="linchpin-examples" aria-label="Examples">
      <h2>Examples</h2>
      <p>Each opens in its own tab. Run it with Ctrl-Enter.</p>
      {examples.map((example) => (
        <button key={example.name} type="button" onClick={() => void open(example)}>
          <strong>{example.title}</strong>
          <span>{example.description}</span>
        </button>
      ))}
    </section>
  );
}

function ExamplesIcon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinejoin="round" aria-hidden="true">
      <path d="M9 17.5h6M10 21h4M12 3a6.2 6.2 0 0 0-3.6 11.2c.5.4.8 1 .8 1.6v1.7h5.6v-1.7c0-.6.3-1.2.8-1.6A6.2 6.2 0 0 0 12 3z" strokeLinecap="round" />
    </svg>
  );
}

// Passing plugins replaces GraphiQL's default list, so history is named here.
// The list is made once: a new array on each render would reset the open pane.
export const plugins: GraphiQLPlugin[] = [
  { title: "Examples", content: Examples, icon: ExamplesIcon },
  HISTORY_PLUGIN,
  explorerPlugin({ showAttribution: false }),
];
