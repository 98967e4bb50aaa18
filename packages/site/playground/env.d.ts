declare module "*?raw" {
  const text: string
  export default text
}
declare module "*.css" {}
declare module "virtual:playground-runtime" {
  const text: string
  export default text
}
