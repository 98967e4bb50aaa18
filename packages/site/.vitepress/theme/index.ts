import type { Theme } from "vitepress"
import DefaultTheme from "vitepress/theme-without-fonts"
import { defineComponent, h, onBeforeUnmount, onMounted, ref } from "vue"
import "./style.css"

/** The playground is not loaded before its page is opened, and never while pages are rendered. */
const Playground = defineComponent(() => {
  const place = ref<HTMLElement>()
  let unmount: () => void = () => {}
  onMounted(async () => {
    const { mount } = await import("../../playground/mount.tsx")
    if (place.value !== undefined) unmount = mount(place.value)
  })
  onBeforeUnmount(() => unmount())
  return () => [h("h1", { class: "visually-hidden" }, "Playground"), h("div", { ref: place })]
})

export default {
  extends: DefaultTheme,
  enhanceApp: ({ app }) => void app.component("Playground", Playground)
} satisfies Theme
