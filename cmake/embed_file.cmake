# Writes FILE as a raw string literal to LITERAL.
file(READ ${FILE} text)
file(WRITE ${LITERAL} "R\"text(${text})text\"\n")
