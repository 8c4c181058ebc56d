# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The work of a cooperative's year, by clicking."""
import datetime as dt


def admit(sao, name, date):
    sao.open_menu('Cooperative', 'Members', 'Members')
    sao.new()
    sao.create('party', name)
    sao.set('category', "Persons")
    sao.set('application_date', date)
    sao.set('admission_date', date)
    sao.press('admit')


def test_admit_member(before):
    sao = before
    admit(sao, "Newcomer 1", '02/02/1998')
    sao.reads('state', "Member")
    assert sao.get('number')
    assert sao.get('party') == "Newcomer 1"
    [[category, start, *_]] = sao.rows("Memberships")
    assert (category, start) == ("Persons", '02/02/1998')


def test_import_members(before, tmp_path):
    sao = before
    path = tmp_path / 'members.csv'
    path.write_text(
        "number;name;category;admission_date\n"
        "0801;Zoë Import;Persons;02.01.1998\n"
        "0802;Bob Import;Nobody;02.01.1998\n", encoding='cp1252')
    sao.open_menu('Cooperative', 'Members', 'Import Members…')
    sao.upload(path)
    sao.answer("Check")
    assert (sao.get('created'), sao.get('rejected')) == ('0', '2')
    # The file is still there, and now its dates are read
    sao.answer("Back")
    sao.set('date_format', "31.12.2026")
    sao.answer("Check")
    assert (sao.get('created'), sao.get('rejected')) == ('1', '1')
    [[kind, line, column, reason]] = sao.rows("Reasons")
    assert (kind, line, column) == ("Rejected", '3', 'category')
    assert "Nobody" in reason
    rejects = sao.get_file(tmp_path)
    assert rejects.name == 'members.rejects.csv'
    lines = rejects.read_text(encoding='cp1252').splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("0802;Bob Import;Nobody;02.01.1998;3;category;")
    sao.answer("Import")
    assert (sao.get('created'), sao.get('rejected')) == ('1', '1')
    sao.answer("Close")
    sao.open_menu('Cooperative', 'Members', 'Members')
    sao.search("Zoë Import")
    assert len(sao.rows(text="Zoë Import")) == 1


def subscribe(sao, name):
    "Admit the member with three shares of 10.00, and let them be paid"
    admit(sao, name, '02/02/1998')
    sao.open_menu('Cooperative', 'Shares', 'Subscriptions')
    sao.new()
    sao.choose('member', name)
    sao.choose('share_class', "Member Shares")
    sao.set('date', '02/02/1998')
    sao.set('quantity', 3)
    sao.reads('amount', '30.00')
    sao.press('confirm')
    sao.reads('state', "Confirmed")
    sao.press('pay')
    sao.set('date', '02/27/1998')
    sao.choose('payment_method', "Cash")
    sao.answer("Pay")
    sao.reads('state', "Paid")
    sao.reads('amount_to_pay', '0.00')


def test_pay_shares(before):
    subscribe(before, "Newcomer 2")


def book(sao, member, start, end):
    sao.open_menu('Cooperative', 'Commons', 'Bookings')
    sao.new()
    sao.choose('resource', "Meeting Room")
    sao.choose('member', member)
    sao.set('start', start)
    sao.set('end', end)
    sao.press('confirm')


def test_book_and_bill(before):
    "A room is booked, not to be booked twice, used and billed"
    sao = before
    admit(sao, "Newcomer 3", '02/02/1998')
    admit(sao, "Newcomer 4", '02/02/1998')
    book(sao, "Newcomer 3", '02/10/1998 09:00:00', '02/10/1998 11:00:00')
    sao.reads('state', "Confirmed")
    # 2 hours of 4.00
    sao.reads('estimate', '8.00')
    with sao.refused("Newcomer 3|Meeting Room"):
        book(sao, "Newcomer 4", '02/10/1998 10:00:00', '02/10/1998 12:00:00')
    sao.set('start', '02/10/1998 11:00:00')
    sao.press('confirm')
    sao.reads('state', "Confirmed")
    sao.press('start_use')
    sao.set('used_from', '02/10/1998 11:00:00')
    sao.set('used_until', '02/10/1998 12:00:00')
    sao.press('finish')
    assert len(sao.rows("Usages")) == 1

    sao.open_menu('Cooperative', 'Commons', 'Billings')
    sao.new()
    sao.set('end', '02/28/1998')
    sao.set('invoice_date', '02/28/1998')
    sao.press('compute')
    [invoice] = sao.rows("Invoices", "Newcomer 4")
    # 1 hour of 4.00
    assert any('4.00' in cell for cell in invoice)
    sao.press('post')
    sao.reads('state', "Posted")


def test_calendar(before):
    "A booking is in the calendar on its day, and is opened from it"
    sao = before
    day = dt.date.today() + dt.timedelta(days=1)
    admit(sao, "Newcomer 11", '02/02/1998')
    book(
        sao, "Newcomer 11", f'{day:%m/%d/%Y} 13:00:00',
        f'{day:%m/%d/%Y} 14:00:00')
    sao.reads('state', "Confirmed")
    number = sao.get('number')
    sao.open_menu('Cooperative', 'Commons', 'Bookings', 'Calendar')
    event = sao.tab.locator('.fc-event', has_text="Newcomer 11")
    assert "Meeting Room" in event.inner_text()
    cell = sao.tab.locator(f'.fc-day[data-date="{day}"]').first
    # It is below the head of its day
    left, width = (cell.bounding_box()[n] for n in ['x', 'width'])
    assert left <= event.bounding_box()['x'] < left + width
    sao.do(event.click)
    sao.reads('number', number)


def test_change_booking(before):
    "A booking is made longer, with the new price shown before"
    sao = before
    admit(sao, "Newcomer 7", '02/02/1998')
    book(sao, "Newcomer 7", '02/23/2032 09:00:00', '02/23/2032 10:00:00')
    sao.reads('state', "Confirmed")
    sao.press('change')
    sao.reads('price', '4.00')
    sao.set('end', '02/23/2032 12:00:00')
    # 3 hours of 4.00
    sao.reads('new_price', '12.00')
    sao.answer("Change")
    sao.reads('estimate', '12.00')


def test_series(before):
    "A room is booked each week, but for a week in which it is taken"
    sao = before
    admit(sao, "Newcomer 9", '02/02/1998')
    book(sao, "Newcomer 9", '03/10/2032 09:00:00', '03/10/2032 10:00:00')
    sao.reads('state', "Confirmed")
    sao.open_menu('Cooperative', 'Commons', 'Bookings', 'Booking Series')
    sao.new()
    sao.choose('resource', "Meeting Room")
    sao.choose('member', "Newcomer 9")
    sao.set('start', '03/03/2032 09:00:00')
    sao.set('end', '03/03/2032 11:00:00')
    sao.set('frequency', "Weeks")
    sao.set('until', '03/17/2032')
    with sao.refused("1 of 3"):
        sao.press('confirm')
    sao.set('skip', True)
    sao.press('confirm')
    sao.reads('state', "Booked")
    assert len(sao.rows("Bookings", "Meeting Room")) == 2


def test_contract(before):
    "A member gets a room for a monthly fee, and is asked for a deposit"
    sao = before
    admit(sao, "Newcomer 10", '02/02/1998')
    sao.open_menu('Cooperative', 'Commons', 'Contracts')
    sao.new()
    sao.choose('member', "Newcomer 10")
    sao.choose('resource', "Meeting Room")
    sao.set('valid_from', '02/15/1998')
    sao.choose('product', "Use of the room")
    sao.set('amount', '28.00')
    sao.set('deposit', '100.00')
    sao.press('confirm')
    sao.reads('state', "Confirmed")
    sao.open_menu('Cooperative', 'Commons', 'Deposits')
    sao.open_row("Newcomer 10")
    sao.reads('amount', '100.00')
    sao.set('date', '02/28/1998')
    sao.press('take')
    sao.reads('state', "Taken")


def test_problems(before):
    "A booking that nobody finished is listed until it is finished"
    sao = before
    admit(sao, "Newcomer 8", '02/02/1998')
    book(sao, "Newcomer 8", '02/21/1998 09:00:00', '02/21/1998 10:00:00')
    sao.reads('state', "Confirmed")
    number = sao.get('number')

    def problems():
        sao.open_menu('Cooperative', 'Commons', 'Problems')
        # What is open already is only shown
        sao.search('')
        return [
            row for row in sao.rows()
            if any(f"Booking {number} " in cell for cell in row)]

    [row] = problems()
    assert "Booking nobody finished" in row
    assert any("Finish the booking" in cell for cell in row)
    sao.open_menu('Cooperative', 'Commons', 'Bookings')
    sao.open_all()
    sao.search(number)
    sao.open_row("1998-02-21")
    sao.set('used_from', '02/21/1998 09:00:00')
    sao.set('used_until', '02/21/1998 10:00:00')
    sao.press('finish')
    sao.reads('state', "Done")
    assert not problems()


def give_notice(sao, name):
    sao.open_menu('Cooperative', 'Members', 'Members')
    sao.open_all()
    sao.search(name)
    sao.open_row(name)
    sao.set('notice_date', '03/02/1998')
    sao.set('exit_reason', "Resignation")
    sao.press('give_notice')


def test_give_notice(before):
    sao = before
    admit(sao, "Newcomer 5", '02/02/1998')
    give_notice(sao, "Newcomer 5")
    sao.reads('state', "Leaving")
    # Three months, and then the end of the fiscal year
    sao.reads('exit_date', '12/31/1998')


def test_allocate_redemptions(before):
    "Who leaves gets the shares back within the budget of the year"
    sao = before
    subscribe(sao, "Newcomer 6")
    sao.open_menu('Cooperative', 'Configuration', 'Shares', 'Share Classes')
    sao.open_row("Member Shares")
    sao.page_("Redemption")
    sao.set('minimum_capital', 10)
    sao.save()
    give_notice(sao, "Newcomer 6")
    sao.open_menu('Cooperative', 'Shares', 'Redemptions')
    sao.open_row("Newcomer 6")
    sao.press('approve')
    sao.reads('state', "Approved")
    sao.open_menu(
        'Cooperative', 'Shares', 'Redemptions', "Allocate Redemptions")
    sao.choose('fiscalyear', "1998")
    sao.answer("Preview")
    [row] = sao.rows(text="Newcomer 6")
    # All of the three that were requested
    assert row[-2:] == ['3', '3']
    sao.answer("Allocate")
    assert sao.rows(text="Newcomer 6")


def test_meeting_decides_on_surplus(before):
    "The meeting is convened, held and closed, and its decision carried out"
    sao = before
    sao.open_menu('Cooperative', 'Meetings', 'Meetings')
    sao.new()
    sao.set('date', '04/18/1998')
    sao.set('place', "Community hall")
    sao.set('convocation_date', '03/20/1998')
    sao.set('record_date', '03/31/1998')
    agenda = {
        "Approval of the accounts of 1997": "Approval of the Accounts",
        "Appropriation of the surplus of 1997": "Appropriation of the Surplus",
        }
    for subject, purpose in agenda.items():
        sao.add("Agenda")
        sao.set('subject', subject)
        sao.set('kind', "Resolution")
        sao.set('purpose', purpose)
        sao.set('fiscalyear', "1997")
        sao.set('majority', "Simple")
        sao.accept()
    sao.press('convene')
    sao.reads('state', "Convened")
    sao.page_("Attendance")
    member = sao.rows("Attendance")[0][0]
    sao.edit_row(member, "Attendance", 'presence', "Present")
    sao.press('open')
    sao.reads('state', "Open")
    sao.reads('present_votes', '1')
    sao.page_("Agenda")
    for subject in agenda:
        sao.open_row(subject, "Agenda")
        sao.set('votes_for', 1)
        sao.accept()
    sao.press('close')
    sao.reads('state', "Closed")
    assert all("Carried" in row for row in sao.rows("Agenda"))

    sao.open_menu('Cooperative', 'Patronage', "Appropriations of Surplus")
    sao.open_row("1997")
    sao.page_("Other Info")
    sao.choose('resolution', "Appropriation of the surplus of 1997")
    sao.press('compute')
    sao.reads('state', "Computed")
    sao.press('approve')
    sao.reads('state', "Approved")
    sao.press('post')
    sao.reads('state', "Posted")


def test_print_report(after, tmp_path):
    "The board gets the report to the assembly as a document"
    sao = after
    sao.open_menu('Cooperative', 'Reporting', "Report to the Assembly")
    sao.set('fiscalyear', "1997")
    path = sao.download(
        sao.foot("Print").click, tmp_path)
    assert path.suffix == '.odt'
    assert path.stat().st_size > 5_000
    assert path.read_bytes().startswith(b'PK')
