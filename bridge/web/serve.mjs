#!/usr/bin/env node
// Serves the page for one network: `serve.mjs dev.json [port]`. Any static file server does, beside a `network.json`.
import { createReadStream, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { parseDev, predeploys, walletNetwork } from './dist/index.js'

const [file, port = '8080'] = process.argv.slice(2)
if (!file) {
  console.error('usage: serve.mjs dev.json [port]')
  process.exit(1)
}
const network = parseDev(readFileSync(file, 'utf8'))
const data = JSON.stringify({ wallet: walletNetwork(network), revenueRouter: predeploys.revenueRouter })
/** Nothing else is served, whatever is asked for. @type {Record<string, string>} */
const files = {
  '/': 'index.html', '/style.css': 'style.css', '/page.js': 'page.js', '/router.js': 'router.js', '/amount.js': 'amount.js',
}
/** @type {Record<string, string>} */
const kinds = { html: 'text/html', css: 'text/css', js: 'text/javascript' }

const server = createServer((request, response) => {
  const path = (request.url ?? '/').split('?')[0] ?? '/'
  const name = Object.hasOwn(files, path) ? files[path] : undefined
  if (path === '/network.json') return response.writeHead(200, { 'content-type': 'application/json' }).end(data)
  if (!name) return response.writeHead(404).end()
  response.writeHead(200, { 'content-type': `${kinds[name.split('.')[1] ?? '']}; charset=utf-8` })
  return createReadStream(new URL(`page/${name}`, import.meta.url)).pipe(response)
})
server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address()
  console.log(`http://127.0.0.1:${typeof address === 'object' ? address?.port : port}/`)
})
