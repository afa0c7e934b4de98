export { default } from "catalogue:en";
