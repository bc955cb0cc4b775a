"""The bot's own alarms: few, told to people directly, and silent only while things work."""

from incident_bot.virtual import checkout
from infra.aws.readable import readable
from tests.infra.aws.reading import of_type, properties


def test_the_synthetic_alerts_absence_alarms(aws):
    alarm = properties(aws, "SyntheticAlertAlarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("IncidentBot", "SyntheticAlert")
    assert "Dimensions" not in alarm, "consume counts it without any"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["EvaluationPeriods"] * alarm["Period"] <= 300, "the dead man's switch has five minutes"


def test_a_sweep_that_does_not_come_to_its_end_alarms(aws):
    alarm = properties(aws, "SweepAlarm")
    assert (alarm["Namespace"], alarm["MetricName"], alarm["TreatMissingData"]) == (
        "IncidentBot",
        "Sweeps",
        "breaching",
    )


def test_dead_letters_and_a_queue_that_stands_still_alarm(aws):
    dead, age = properties(aws, "DeadLettersAlarm"), properties(aws, "QueueAgeAlarm")
    assert (dead["MetricName"], dead["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 0)
    assert age["MetricName"] == "ApproximateAgeOfOldestMessage"
    assert _dimensions(dead) == {"QueueName": "<DeadLetterQueue.QueueName>"}
    assert _dimensions(age) == {"QueueName": "<SignalsQueue.QueueName>"}


def test_executions_that_fail_alarm(aws):
    for machine in ("incident", "remediation"):
        alarm = properties(aws, f"{machine.capitalize()}FailedAlarm")
        assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/States", "ExecutionsFailed")
        assert _dimensions(alarm)["StateMachineArn"].endswith(f":stateMachine:IncidentBot-{machine}")


def test_what_cannot_be_read_and_a_page_that_reaches_nobody_alarm(aws):
    alarm = properties(aws, "UntoldAlarm")
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Threshold"]) == ("IncidentBot", "Untold", 0)
    assert "Dimensions" not in alarm, "quarantine and page count it without any"


def test_a_machine_that_may_run_out_of_time_alarms_and_no_other(aws):
    for machine in ("incident", "remediation"):
        limited = "TimeoutSeconds" in checkout.definitions()[machine]
        assert (f"{machine.capitalize()}TimedOutAlarm" in of_type(aws, "AWS::CloudWatch::Alarm")) == limited


def test_all_of_them_go_to_people_without_passing_through_the_bot(aws):
    alarms = of_type(aws, "AWS::CloudWatch::Alarm")
    watched = sum(len(alarm["Properties"].get("Metrics", [None])) for alarm in alarms.values())
    assert 0 < watched <= 10, "who is told everything is told nothing, and ten watched metrics cost nothing"
    for alarm in alarms.values():
        assert [readable(action) for action in alarm["Properties"]["AlarmActions"]] == ["<NoticesTopic>"]
        assert alarm["Properties"]["AlarmDescription"]


def _dimensions(alarm) -> dict[str, str]:
    return {one["Name"]: readable(one["Value"]) for one in alarm["Dimensions"]}
