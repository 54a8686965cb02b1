"""What a PowerShell grammar makes of the script on standard input: where it does not fit, and the shape of its statements, as JSON."""

import json
import sys

import tree_sitter
import tree_sitter_pwsh


def nodes(node):
    yield node
    for child in node.children:
        yield from nodes(child)


parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_pwsh.language()))
program = parser.parse(sys.stdin.buffer.read()).root_node
wrong = [node.start_point.row + 1 for node in nodes(program) if node.is_error or node.is_missing]
statements = [str(statement) for part in program.named_children if part.type == "statement_list" for statement in part.named_children]
json.dump({"wrong": wrong, "statements": statements}, sys.stdout)
