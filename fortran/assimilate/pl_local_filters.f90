!> The local filters: teams of threads, each with an update of its own, over the local domains.
module pl_local_filters
   use pl_error, only: error_type, raise_error
   use pl_kinds, only: rk
   use pl_local_analysis, only: analyse_share, local_option_type
   use pl_local_kalman, only: kalman_update_type
   use pl_local_regression, only: change_type, regression_update_type
   use pl_local_update, only: local_problem_type
   use pl_local_weights, only: weights_update_type
   use pl_localisation, only: localisation_type
   use pl_transform_weights, only: weights_option_type
   implicit none (type, external)
   private
   public :: analyse_by_kalman, analyse_by_regression, analyse_by_weights

contains

   !> LETKF, LDEnKF, and LEnKF with weighted error variances.
   subroutine analyse_by_kalman(kind, option, nthread, problem, localisation, domain_start, domain_states, ensemble, error)
      integer, intent(in) :: kind                         !! see pl_transform_etkf
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
      !$omp shared(kind, option, problem, localisation, domain_start, domain_states, ensemble, error)
      call share_kalman(kind, option, problem, localisation, domain_start, domain_states, ensemble, own_error)
      call keep_first(own_error, error)
      !$omp end parallel
   end subroutine analyse_by_kalman

   !> One thread of `analyse_by_kalman`.
   subroutine share_kalman(kind, option, problem, localisation, domain_start, domain_states, ensemble, error)
      integer, intent(in) :: kind                         !! see pl_transform_etkf
      type(local_option_type), intent(in) :: option
      type(local_problem_type), intent(in), target :: problem
      type(localisation_type), intent(in), target :: localisation
      integer, intent(in) :: domain_start(:)              !! (ndomain + 1)
      integer, intent(in) :: domain_states(:)             !! (nstate)
      real(rk), intent(inout) :: ensemble(:, :)           !! (nmember, nstate) [any unit]
      type(error_type), allocatable, intent(out) :: error !! not enough memory, no convergence
      type(kalman_update_type) :: update
      update%problem => problem
      update%localisation => localisation
      call update%create(kind, problem%nmember, error)
      call analyse_share(option, problem, localisation, update, domain_start, domain_states, ensemble, error)
   end subroutine share_kalman

   !> Serial filters, and LEnKF with localised covariances, after their work in the space of observations.
   subroutine analyse_by_regression(all, option, nthread, problem, localisation, domain_start, domain_states, ensemble, &
                                    error)
      type(change_type), intent(in) :: all
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
      !$omp shared(all, option, problem, localisation, domain_start, domain_states, ensemble, error)
      call share_regression(all, option, problem, localisation, domain_start, domain_states, ensemble, own_error)
      call keep_first(own_error, error)
      !$omp end parallel
   end subroutine analyse_by_regression

   !> One thread of `analyse_by_regression`.
   subroutine share_regression(all, option, problem, localisation, domain_start, domain_states, ensemble, error)
      type(change_type), intent(in), target :: all
      type(local_option_type), intent(in) :: option
      type(local_problem_type), intent(in), target :: problem
      type(localisation_type), intent(in), target :: localisation
      integer, intent(in) :: domain_start(:)              !! (ndomain + 1)
      integer, intent(in) :: domain_states(:)             !! (nstate)
      real(rk), intent(inout) :: ensemble(:, :)           !! (nmember, nstate) [any unit]
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      type(regression_update_type) :: update
      update%problem => problem
      update%localisation => localisation
      call update%create(all)
      call analyse_share(option, problem, localisation, update, domain_start, domain_states, ensemble, error)
   end subroutine share_regression

   !> LNETF, LKNETF and LSEIK.
   subroutine analyse_by_weights(transform, option, nthread, problem, localisation, domain_start, domain_states, ensemble, &
                                 error)
      type(weights_option_type), intent(in) :: transform
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
      !$omp shared(transform, option, problem, localisation, domain_start, domain_states, ensemble, error)
      call share_weights(transform, option, problem, localisation, domain_start, domain_states, ensemble, own_error)
      call keep_first(own_error, error)
      !$omp end parallel
   end subroutine analyse_by_weights

   !> One thread of `analyse_by_weights`.
   subroutine share_weights(transform, option, problem, localisation, domain_start, domain_states, ensemble, error)
      type(weights_option_type), intent(in) :: transform
      type(local_option_type), intent(in) :: option
      type(local_problem_type), intent(in), target :: problem
      type(localisation_type), intent(in), target :: localisation
      integer, intent(in) :: domain_start(:)              !! (ndomain + 1)
      integer, intent(in) :: domain_states(:)             !! (nstate)
      real(rk), intent(inout) :: ensemble(:, :)           !! (nmember, nstate) [any unit]
      type(error_type), allocatable, intent(out) :: error !! not enough memory, no convergence
      type(weights_update_type) :: update
      update%problem => problem
      update%localisation => localisation
      call update%create(transform, problem%nmember, error)
      call analyse_share(option, problem, localisation, update, domain_start, domain_states, ensemble, error)
   end subroutine share_weights

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
