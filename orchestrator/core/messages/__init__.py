"""What people read: pure functions from records to Slack messages, dialogs, private answers and e-mails.

Everything a user sees of a release is worded here and nowhere else. Nothing in here sends, stores or looks at a clock:
a message is a view of the records and can be rendered anew at any time.
"""
