export const apnsEnvironmentCases = [
  ['development', 'sandbox'],
  ['production', 'production'],
  ['sandbox', undefined],
  ['', undefined],
  [undefined, undefined],
] as const

export const goodBundleIds = ['com.example.app', 'a.b', 'COM.Example-1.App2', `com.${'x'.repeat(151)}`]

export const badBundleIds = [
  ['', 'is empty'],
  ['app', 'one part only'],
  ['com..app', 'empty part'],
  ['.com.app', 'empty part'],
  ['com.app.', 'ends with a period'],
  ['com.example.*', 'wildcard'],
  ['com.example_app', '"_"'],
  ['com.exämple', '"ä"'],
  ['com.example app', '" "'],
  ['com.😀', '"😀"'],
  [`com.${'x'.repeat(152)}`, 'at most 155'],
] as const
