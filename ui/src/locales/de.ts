export { default } from "catalogue:de";
