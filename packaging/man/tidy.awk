# SPDX-License-Identifier: Apache-2.0
#
# Takes away the paragraphs that scdoc begins where nothing follows, or where a section or an indented
# block begins one already: the pages are then without fault to mandoc -Tlint.

function put_paragraph()
{
	if (wanted && !begun)
		print ".P"
	wanted = 0
}

/^\.P$/ { wanted = 1; next }

# The end of a block waits for what is behind it, the end of a section for nothing.
/^\.RE$/ { print; begun = 0; next }
/^\.S[HS] / { wanted = 0; print; begun = 1; next }
/^\.TH / { print; begun = 1; next }
/^\.RS / { put_paragraph(); print; begun = 1; next }

{ put_paragraph(); print; begun = 0 }
