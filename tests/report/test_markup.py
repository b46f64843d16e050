from causalablate.report.markup import md_table, md_text, tex_address, tex_head, tex_table, tex_text


def test_tex_text_escapes_every_special_character():
    assert tex_text(r"a_b & 5% #1 $x$ {y} ~ ^ \ <z>") == (
        r"a\_b \& 5\% \#1 \$x\$ \{y\} \textasciitilde{} \textasciicircum{} \textbackslash{} \textless{}z\textgreater{}"
    )


def test_tex_text_sets_signs_in_math():
    assert tex_text("−5 → –") == r"$-$5 $\rightarrow$ --"


def test_tex_address_is_typewriter_that_may_break():
    assert tex_address("lm.layers.0=mean") == r"\texttt{lm.\allowbreak{}layers.\allowbreak{}0=mean}"


def test_tex_head_breaks_long_heads():
    assert tex_head("label") == "label"
    assert tex_head("right→wrong") == r"\shortstack[r]{right$\rightarrow$ \\ wrong}"


def test_md_text_neither_breaks_the_cell_nor_becomes_markup():
    assert md_text("a|b\n<script>*x*`y`[z]") == r"a\|b \<script\>\*x\*\`y\`\[z\]"


def test_md_table_pads_columns_and_aligns_numbers():
    text = md_table(["lesion", "n"], [["a", "7"], ["long name", "12"]], [False, True])
    assert text.splitlines() == [
        "| lesion    |   n |",
        "|-----------|----:|",
        "| a         |   7 |",
        "| long name |  12 |",
    ]


def test_tex_table_repeats_its_head_and_spans_headings():
    text = tex_table(["lesion", "effect"], [["Passes"], ["a", "1"], ["Heads"], ["b", "2"]], [False, True], "C", "tab:x")
    assert text.count("lesion & effect") == 2
    assert r"\multicolumn{2}{l}{\textit{Heads}}" in text
    assert r"\caption{C}\label{tab:x}" in text
    assert all(rule in text for rule in (r"\toprule", r"\midrule", r"\bottomrule"))
