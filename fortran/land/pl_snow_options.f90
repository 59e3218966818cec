!> Choices of the mechanics of the snow pack: scheme numbers and parameters.
module pl_snow_options
   use pl_error, only: error_input, error_type, raise_error
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: check_snow_options, set_snow_option, snow_options_type
   public :: cover_niu_yang, cover_swenson_lawrence, fresh_density_clm45, fresh_density_clm5
   public :: crocus_dust
   public :: overburden_anderson, overburden_clm5, overburden_vionnet, percolation_bucket, percolation_kinematic

   integer, parameter :: fresh_density_clm45 = 1, fresh_density_clm5 = 2
   integer, parameter :: cover_niu_yang = 1, cover_swenson_lawrence = 2
   integer, parameter :: overburden_anderson = 1, overburden_vionnet = 2, overburden_clm5 = 3
   integer, parameter :: percolation_bucket = 1, percolation_kinematic = 2

   real(rk), parameter :: crocus_dust = 0.2_rk/60.0_rk !! loss of visible albedo at Col de Porte (Vionnet et al. 2012) [day-1]

   !> One choice for all columns.
   type :: snow_options_type
      integer :: fresh_density = fresh_density_clm5 !! density of new snow
      integer :: cover = cover_swenson_lawrence     !! snow-covered share of the ground
      integer :: overburden = overburden_anderson   !! settling under the weight of snow
      integer :: percolation = percolation_bucket   !! flow of liquid water
      logical :: wind_drift = .false.               !! whether wind packs the snow at the surface
      real(rk) :: cover_roughness = 0.01_rk         !! roughness that snow buries (Niu and Yang) [m]
      real(rk) :: cover_exponent = 1.0_rk           !! of density (Niu and Yang) [1]
      real(rk) :: dust_darkening = 0.0_rk             !! loss of visible albedo by dust at Col de Porte [day-1]
      real(rk) :: holding = 0.033_rk                !! share of the pores that holds water against gravity [1]
   end type snow_options_type

contains

   !> Set one member by its name.
   pure subroutine set_snow_option(name, value, options, error)
      character(len=*), intent(in) :: name !! member of snow_options_type
      real(rk), intent(in) :: value        !! number of a scheme, 0 or 1 for a switch, or the unit of the member
      type(snow_options_type), intent(inout) :: options
      type(error_type), allocatable, intent(out) :: error
      select case (name)
      case ("fresh_density")
         options%fresh_density = nint(value)
      case ("cover")
         options%cover = nint(value)
      case ("overburden")
         options%overburden = nint(value)
      case ("percolation")
         options%percolation = nint(value)
      case ("wind_drift")
         options%wind_drift = nint(value) /= 0
      case ("cover_roughness")
         options%cover_roughness = value
      case ("cover_exponent")
         options%cover_exponent = value
      case ("dust_darkening")
         options%dust_darkening = value
      case ("holding")
         options%holding = value
      case default
         call raise_error(error, error_input, "the snow pack has no option "//name)
      end select
   end subroutine set_snow_option

   !> Find an error where a number means no scheme or a parameter is impossible.
   pure subroutine check_snow_options(options, error)
      type(snow_options_type), intent(in) :: options
      type(error_type), allocatable, intent(out) :: error
      if (all(options%fresh_density /= [fresh_density_clm45, fresh_density_clm5])) then
         call raise_error(error, error_input, "unknown scheme of the density of new snow; give 1 or 2")
      else if (all(options%cover /= [cover_niu_yang, cover_swenson_lawrence])) then
         call raise_error(error, error_input, "unknown scheme of snow cover; give 1 or 2")
      else if (all(options%overburden /= [overburden_anderson, overburden_vionnet, overburden_clm5])) then
         call raise_error(error, error_input, "unknown scheme of the settling of snow; give 1, 2 or 3")
      else if (all(options%percolation /= [percolation_bucket, percolation_kinematic])) then
         call raise_error(error, error_input, "unknown scheme of water flow in snow; give 1 or 2")
      else if (.not. (options%cover_roughness > 0.0_rk .and. options%cover_roughness <= 1.0_rk)) then
         call raise_error(error, error_input, "the roughness length that snow buries must lie in (0, 1] m")
      else if (.not. (options%cover_exponent >= 0.0_rk .and. options%cover_exponent <= 10.0_rk)) then
         call raise_error(error, error_input, "the exponent of density in snow cover must lie in [0, 10]")
      else if (.not. (options%dust_darkening >= 0.0_rk .and. options%dust_darkening <= 1.0_rk)) then
         call raise_error(error, error_input, "the darkening of snow by dust must lie in [0, 1] per day")
      else if (.not. (options%holding >= 0.0_rk .and. options%holding < 1.0_rk)) then
         call raise_error(error, error_input, "the share of pores of snow that hold water must lie in [0, 1)")
      end if
   end subroutine check_snow_options

end module pl_snow_options
