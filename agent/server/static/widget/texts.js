/* The words of the widget, and how numbers are written. */

// English fallbacks. GET /v1/widget may replace each of them under the same name.
export const TEXTS = {
  launcher: "Chat with {company}",
  launcher_unread: "Chat with {company}, new messages: {count}",
  close: "Close chat",
  disclosure: "AI assistant",
  person_disclosure: "{name}, a person from our team",
  closed_disclosure: "Conversation closed",
  intro_title: "Hi, how can we help?",
  intro: "You are talking to an AI assistant. You can ask for a person at any time.",
  log: "Conversation",
  you: "You",
  ai: "AI",
  person: "Person",
  person_button: "Talk to a person",
  person_asking: "Asking for a person…",
  message: "Your message",
  placeholder: "Write a message…",
  send: "Send",
  attach: "Attach a file",
  typing: "{company} is writing",
  characters_left: "Characters left: {count}",
  characters_over: "Too long by {count} characters. Please shorten the message, or send it in parts.",
  sending: "Sending…",
  retrying: "Connection trouble. Trying again…",
  not_sent: "Not sent.",
  try_again: "Try again",
  offline: "Connection lost. Reconnecting…",
  online: "Connected again.",
  queue_position: "Waiting for {team}. You are number {position} in line.",
  queue_waiting: "Waiting for {team}.",
  queue_due: "Usually answered by {time}.",
  queue_closed: "Nobody is there right now. They are back {time}.",
  requested: "Passed on to {team}",
  joined: "{name} has joined. You are now talking to a person.",
  returned_to_bot: "The person has left. You are talking to the AI assistant again.",
  queued_again: "The person has left. You are waiting for {team} again.",
  resolved: "This conversation has been closed. Write again if you need anything.",
  sources: "Sources",
  confirm: "Please check before you agree",
  yes: "Yes, go ahead",
  no: "No, leave it",
  confirm_until: "Open until {time}",
  confirm_yes: "You agreed",
  confirm_no: "You declined",
  confirm_over: "No longer open",
  confirm_expired: "Expired. Ask again if you still want it.",
  rating_title: "How was this conversation?",
  rating_star: "{score} of 5",
  rating_comment: "Anything you would like to add? (optional)",
  rating_send: "Send rating",
  rating_pick: "Please choose one to five stars first.",
  rating_thanks: "Thank you for your rating: {score} of 5.",
  new_conversation: "Start a new conversation",
  newest: "New messages",
  uploading: "Uploading…",
  file_too_large: "{file} is larger than 5 MB. Please send a smaller file.",
  download: "Download {file}",
  unreachable: "We cannot be reached from here right now. Check your connection and try again.",
  sign_in: "We could not confirm who you are. Reload the page, or sign in again.",
  error_rate_limited: "That was a lot in a short time. Please wait a moment and try again.",
  error_message_too_long: "The message is too long. Please send it in parts.",
  error_body_too_large: "That is too large. Please send less at once.",
  error_file_refused: "Files of this kind cannot be sent. Please send a picture, a PDF or plain text.",
  error_too_many_files: "There are too many files in this conversation already. Please tell us what is in this one.",
  error_rating_refused: "This conversation cannot be rated at the moment.",
  error_other: "Something went wrong on our side. Please try again, or ask for a person.",
  contact: "You can also write to {contact}.",
};

export const fill = (text, values = {}) => text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);

/** Characters as the server counts them, not UTF-16 units. */
export const length = (text) => Array.from(text).length;

/** A file's size for people. */
export const bytes = (size) =>
  size < 1024 * 1024 ? `${Math.max(1, Math.round(size / 1024))} KB` : `${(size / 1024 / 1024).toFixed(1)} MB`;

/** The name of an argument of a call: `subscription_id` becomes `Subscription id`. */
export const readable = (name) => (name.charAt(0).toUpperCase() + name.slice(1)).replaceAll("_", " ");
