// The y-websocket client as its users run it: connects, waits for words, adds its own, shows where it is, and tells.
import * as Y from 'yjs'
import { WebsocketProvider } from 'y-websocket'
import WebSocket from 'ws'

const [address, documentId, token, textName, wanted, words] = process.argv.slice(2)
const doc = new Y.Doc()
const text = doc.getText(textName)
const provider = new WebsocketProvider(address, documentId, doc, {
  params: { token }, WebSocketPolyfill: WebSocket, disableBc: true
})
const say = (fact) => console.log(JSON.stringify(fact))

provider.awareness.setLocalStateField('user', { name: 'Node' })
const present = () => [...provider.awareness.getStates().values()].map((state) => state.user?.name ?? '')
provider.awareness.on('change', () => say({ present: present() }))
provider.on('connection-close', (event) => say({ closed: event?.code ?? null }))
provider.on('sync', (isSynced) => { if (isSynced) say({ synced: text.toString(), with: present() }) })
text.observe(() => {
  say({ text: text.toString() })
  if (text.toString().endsWith(wanted)) {
    setTimeout(() => text.insert(text.length, words))
  }
})
process.stdin.on('data', () => { provider.disconnect(); provider.connect() })
process.stdin.on('end', () => { provider.destroy(); process.exit(0) })
