# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2317 # variables of the other parts
#
# The checks of documents. Sourced by review.sh.

# ---- make refcheckdocs: names of documents that are not there, anywhere

inputs_references()
{
	echo references
	in_git rev-parse "$2^{tree}"
}

say_references()
{
	checkout_src "$2"
	(cd "$src" || exit 1; scripts/documentation-file-ref-check 2>&1 || true)
}

# ---- what a build of the documentation says of Documentation/ABI

inputs_abi()
{
	echo abi
	in_git rev-parse base "$2:Documentation/ABI"
}

say_abi()
{
	checkout_src "$2"
	(cd "$src" && scripts/get_abi.pl validate --dir Documentation/ABI 2>&1)
}

# ---- sphinx

inputs_sphinx()
{
	inputs_of_files sphinx "$2" '^Documentation/.*[.]rst$'
	# what they include by kernel-doc
	in_git rev-parse "$2:include/linux" "$2:drivers/vfio"
	sphinx-build --version
}

# A book of the touched documents only; "make htmldocs" takes a quarter of an
# hour. Messages about documents that are left out also appear before the patch.
say_sphinx()
{
	local book=$work/review.book file files

	read_lines files touched_files "$2" '^Documentation/.*[.]rst$'

	checkout_src "$2"
	rm -rf "$book"
	mkdir -p "$book/source" "$book/out"
	{
		printf 'Touched\n=======\n\n.. toctree::\n\n'
		for file in "${files[@]}"; do
			mkdir -p "$(dirname "$book/source/${file#Documentation/}")"
			cp "$src/$file" "$book/source/${file#Documentation/}"
			echo "   ${file#Documentation/}"
		done
	} >"$book/source/index.rst"
	srctree=$src sphinx-build -q -b html -c "$src/Documentation" \
		-D kerneldoc_srctree="$src" -D kerneldoc_bin="$src/scripts/kernel-doc" \
		"$book/source" "$book/out" 2>&1 >/dev/null | sed "s|$book/source/|Documentation/|; s|$src/||"
}
