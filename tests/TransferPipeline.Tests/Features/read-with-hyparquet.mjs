// Reads a Parquet file with hyparquet, which shares no code with the writer, and prints one JSON object a row.
// Integers come out as strings (64 bits), lists of numbers as base64 of their float32 bytes.
// usage: node read-with-hyparquet.mjs HYPARQUET_FOLDER FILE
import { pathToFileURL } from 'node:url'

const [folder, path] = process.argv.slice(2)
const { asyncBufferFromFile, parquetReadObjects } = await import(pathToFileURL(`${folder}/src/node.js`))
const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path) })
const plain = (key, value) => {
  if (typeof value === 'bigint' || typeof value === 'number') return value.toString()
  if (!Array.isArray(value)) return value
  return Buffer.from(Float32Array.from(value).buffer).toString('base64')
}
process.stdout.write(rows.map((row) => JSON.stringify(row, plain)).join('\n'))
