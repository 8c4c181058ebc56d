# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sao import ClientError


def test_menu(sao, shots):
    "Every entry, the first record of each list and each of its pages open"
    entries = sao.unfold_menu("Cooperative")
    paths = [e['path'] for e in entries]
    leaves = [
        e for e in entries
        if not any(
            p != e['path'] and p[:len(e['path'])] == e['path']
            for p in paths)]
    assert len(leaves) > 20, paths
    errors = []
    for entry in leaves:
        label = ' / '.join(entry['path'])
        name = '-'.join(entry['path'][1:]).lower().replace(' ', '_')
        try:
            sao.open_entry(entry)
            sao.shot(shots / f'menu-{name}.png')
            if sao.has_dialog():
                sao.cancel()
            elif not sao.has_tab():
                errors.append(f'{label}: nothing opens')
            else:
                if sao.open_first():
                    for page in sao.pages():
                        sao.shot(shots / f'menu-{name}-{page.lower()}.png')
                sao.close()
        except ClientError as error:
            errors.append(f'{label}: {error}')
            sao.page.reload()
            sao.wait()
            sao.unfold_menu("Cooperative")
    assert not errors, '\n'.join(errors)
