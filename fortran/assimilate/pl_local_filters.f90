!> The local filters: a team of threads, each with an update of its own, over the local domains.
module pl_local_filters
   use pl_error, only: error_type, raise_error
   use pl_kinds, only: rk
   use pl_local_analysis, only: analyse_share, local_option_type
   use pl_local_update, only: local_problem_type, local_update_type
   use pl_localisation, only: localisation_type
   implicit none (type, external)
   private
   public :: analyse_domains

contains

   !> Analyse all domains.
   subroutine analyse_domains(filter, option, nthread, problem, localisation, domain_start, domain_states, ensemble, error)
      class(local_update_type), intent(in) :: filter      !! what each thread makes its update of, not created
      type(local_option_type), intent(in) :: option
      integer, intent(in) :: nthread                      !! OpenMP threads [1]
      type(local_problem_type), intent(in) :: problem
      type(localisation_type), intent(in) :: localisation
      integer, intent(in) :: domain_start(:)              !! (ndomain + 1), first entry of a domain in domain_states
      integer, intent(in) :: domain_states(:)             !! (nstate), state elements by domain
      real(rk), intent(inout) :: ensemble(:, :)           !! (nmember, nstate), prior in, analysis out [any unit]
      type(error_type), allocatable, intent(out) :: error !! of one of the threads
      type(error_type), allocatable :: own_error
      !$omp parallel num_threads(nthread) default(none) private(own_error) &
      !$omp shared(filter, option, problem, localisation, domain_start, domain_states, ensemble, error)
      call analyse_own_share(filter, option, problem, localisation, domain_start, domain_states, ensemble, own_error)
      call keep_first(own_error, error)
      !$omp end parallel
   end subroutine analyse_domains

   !> One thread of `analyse_domains`.
   subroutine analyse_own_share(filter, option, problem, localisation, domain_start, domain_states, ensemble, error)
      class(local_update_type), intent(in) :: filter      !! what the update is made of
      type(local_option_type), intent(in) :: option
      type(local_problem_type), intent(in), target :: problem
      type(localisation_type), intent(in), target :: localisation
      integer, intent(in) :: domain_start(:)              !! (ndomain + 1)
      integer, intent(in) :: domain_states(:)             !! (nstate)
      real(rk), intent(inout) :: ensemble(:, :)           !! (nmember, nstate) [any unit]
      type(error_type), allocatable, intent(out) :: error !! unknown option, not enough memory, no convergence
      class(local_update_type), allocatable :: update
      allocate (update, source=filter)
      update%problem => problem
      update%localisation => localisation
      call update%create(problem%nmember, error)
      call analyse_share(option, problem, localisation, update, domain_start, domain_states, ensemble, error)
   end subroutine analyse_own_share

   !> Pass on the error of the first thread that has one.
   subroutine keep_first(own_error, error)
      type(error_type), allocatable, intent(in) :: own_error !! of this thread
      type(error_type), allocatable, intent(inout) :: error  !! of the team
      if (.not. allocated(own_error)) return
      !$omp critical (local_filter_error)
      if (.not. allocated(error)) call raise_error(error, own_error%code, own_error%message)
      !$omp end critical (local_filter_error)
   end subroutine keep_first

end module pl_local_filters
