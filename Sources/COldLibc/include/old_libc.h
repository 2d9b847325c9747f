// Nothing is declared here: what libchroma.so links against calls these functions by their names.
