import { App } from './app.ts'

const root = document.getElementById('app')
if (root !== null) await new App(root).start()
