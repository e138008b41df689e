# A program that sends to Apple, sent to a system of your own instead.
CARILLON_DATA=./data node --import @carillon/testing/redirect app.js
