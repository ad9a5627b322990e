"""Reading a statement's text: `lexer` cuts it, `facts` gathers, `verbs` and `assignments` judge."""
