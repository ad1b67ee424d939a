// Package redact finds secrets in text and replaces them, so that they do not
// leave the node: tokens and keys, payment cards, e-mail addresses, and what URLs
// carry that they should not.
//
// Text enters, the same text leaves with each secret replaced by a word that says
// what it was (REDACTED-CARD); around it nothing changes, so JSON stays JSON, a URL
// keeps its host and path, and a line its shape. What is replaced once is not found
// again. One pass over the bytes; nothing is allocated where nothing is found.
//
// What is found, by kind:
//
//   - tokens: JSON web tokens; what follows Bearer and Basic; AWS access key ids and
//     the secret keys near them; keys with the prefixes of GitHub, GitLab, Slack,
//     Stripe, Google and OpenAI; the value of a key=value, "key":"value" or Key:
//     value whose key is or ends like password, secret, token, apikey,
//     authorization, signature, cookie.
//   - cards: 13 to 19 digits, bare or grouped by one space or dash, of a length and
//     beginning that a scheme issues, with the right check digit (ISO/IEC 7812-1).
//   - emails: an address with a dot in its domain.
//   - urls: user and password before a host; the query parameters above, and code,
//     key, sig, state and session, which elsewhere mean something harmless.
//
// It knows no language: a password in a sentence stays. So does a secret cut in two
// by a line's end, or in another encoding (base64 of JSON, percent-encoded names).
// A number of 16 digits that is no card passes the check digit by chance one time
// in ten, where it begins as a card does.
package redact
