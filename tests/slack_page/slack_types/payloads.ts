// What the product sends, in terms of Slack's types.
import type { HomeView, KnownBlock, ModalView } from "@slack/types";

export interface Message {
  blocks: KnownBlock[];
}
export type Modal = ModalView;
export type Home = HomeView;

export interface Payloads {
  message?: Message;
  modal?: Modal;
  home?: Home;
}
