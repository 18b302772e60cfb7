import "./workers";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "@graphiql/plugin-explorer/style.css";
import "graphiql/graphiql.css";
import "./graphiql.css";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";
import { Account } from "./account";
import { fillIn } from "./demo";
import { examples } from "./examples";
import { fetcher } from "./fetcher";
import { plugins } from "./plugins";
import "./reference";
import { hasTabs, seedTabs } from "./seed";

async function start(root: HTMLElement): Promise<void> {
  try {
    if (!hasTabs(localStorage)) seedTabs(localStorage, await fillIn(examples, fetcher));
  } catch {
    // A browser that refuses storage still gets GraphiQL, without its tabs.
  }
  createRoot(root).render(
    <GraphiQL
      fetcher={fetcher}
      plugins={plugins}
      defaultEditorToolsVisibility="variables"
      inputValueDeprecation
      schemaDescription
      // False rather than absent: absent offers a setting that stores the Headers editor, and so tokens.
      shouldPersistHeaders={false}
    >
      <GraphiQL.Logo>
        <Account />
        <span className="linchpin-logo">Linchpin</span>
      </GraphiQL.Logo>
    </GraphiQL>,
  );
}

void start(document.getElementById("graphiql")!);
